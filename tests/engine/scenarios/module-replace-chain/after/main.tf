resource "test_thing" "z" {
  name = "z"
  zone = "y"
}
module "m" {
  source = "./m"
  n = test_thing.z.id
}
resource "test_thing" "top" {
  name = "top"
  zone = module.m.id
}
