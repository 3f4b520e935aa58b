module "m" { source = "./m" }
resource "test_thing" "b" {
  name = "b"
  size = 1
}
