resource "test_thing" "a" {
  name = "a"
}
output "id" { value = test_thing.a.id }
