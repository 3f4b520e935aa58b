resource "test_thing" "a" {
  name = "a"
}
resource "test_thing" "b" {
  name = "b"
}
resource "test_thing" "c" {
  name = "c"
}
output "a" { value = test_thing.a.id }
output "b" { value = test_thing.b.id }
