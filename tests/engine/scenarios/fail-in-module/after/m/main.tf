resource "test_thing" "a" {
  name = "a"
}
resource "test_thing" "b" {
  name = "b"
}
output "id" { value = test_thing.a.id }
