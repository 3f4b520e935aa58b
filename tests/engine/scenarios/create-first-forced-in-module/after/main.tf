resource "test_thing" "a" {
  name = "a"
  zone = "y"
}
module "m" {
  source = "./m"
  in     = test_thing.a.id
}
resource "test_thing" "c" {
  name = "c"
  note = module.m.id
  lifecycle {
    create_before_destroy = true
  }
}
