module "m" {
  source = "./m"
  for_each = toset(["y"])
  z = "2"
}
resource "test_thing" "top" {
  name = "top"
  parents = [for m in module.m : m.id]
}
