variable "z" {}
resource "test_thing" "a" {
  name = "a"
  zone = var.z
  lifecycle {
    create_before_destroy = true
  }
}
output "id" { value = test_thing.a.id }
