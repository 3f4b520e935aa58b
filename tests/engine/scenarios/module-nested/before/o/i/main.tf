variable "n" {}
resource "test_thing" "a" {
  name = var.n
}
