module "m" {
  source = "./m"
  for_each = toset(["x", "y"])
  n = each.key
}
resource "test_thing" "top" {
  name = "top"
  parents = [for k, m in module.m : m.id]
}
