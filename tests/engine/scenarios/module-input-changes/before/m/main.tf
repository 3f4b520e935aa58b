variable "n" {}
resource "test_thing" "a" {
  name = "a"
  size = var.n
}
