variable "n" { default = "x" }
resource "test_thing" "a" {
  name = "a-${var.n}"
}
output "id" { value = test_thing.a.id }
