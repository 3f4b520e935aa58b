resource "test_thing" "in" {
  name = "in"
}
output "id" { value = test_thing.in.id }
