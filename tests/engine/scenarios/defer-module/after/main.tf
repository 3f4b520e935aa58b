resource "test_thing" "a" {
  name = "a"
}
module "m" {
  source = "./m"
  count  = test_thing.a.revision
}
