variable "in" {}
resource "test_thing" "b" {
  name = "b"
  zone = var.in
}
output "id" { value = test_thing.b.id }
