module "m" {
  source = "./m"
  count = 2
  n = count.index
}
resource "test_thing" "top" {
  name = "top"
  parents = module.m[*].id
}
