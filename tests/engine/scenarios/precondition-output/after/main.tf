resource "test_thing" "a" {
  name = "a"
}

output "x" {
  value = test_thing.a.name
  precondition {
    condition     = test_thing.a.name == "b"
    error_message = "Not so."
  }
}
