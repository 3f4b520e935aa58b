variable "v" {}

resource "test_thing" "a" {
  name = "a"
  size = var.v
}
