module "m" {
  source     = "./m"
  depends_on = [test_thing.z]
}
resource "test_thing" "z" {
  name = "z"
}
