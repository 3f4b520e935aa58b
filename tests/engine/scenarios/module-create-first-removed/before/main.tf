module "m" {
  source = "./m"
  for_each = toset(["x", "y"])
  z = "1"
}
resource "test_thing" "top" {
  name = "top"
  parents = [for m in module.m : m.id]
}
