variable "n" {}
resource "test_thing" "a" {
  name = "a"
  note = var.n
}
