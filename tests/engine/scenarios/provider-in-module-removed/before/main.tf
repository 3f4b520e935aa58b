resource "test_thing" "host" {
  name = "host"
}
module "m" {
  source = "./m"
  host   = test_thing.host.endpoint
}
