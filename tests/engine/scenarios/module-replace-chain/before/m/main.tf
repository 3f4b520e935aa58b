variable "n" {}
resource "test_thing" "a" {
  name = "a"
  zone = var.n
}
output "id" { value = test_thing.a.id }
