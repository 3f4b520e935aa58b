module "m" {
  source = "./m"
  n = test_thing.z.id
}
resource "test_thing" "z" {
  name = "z"
}
