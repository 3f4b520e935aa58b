resource "test_thing" "a" {
  name = "a"
}

output "x" {
  value = test_thing.a.id
  precondition {
    condition     = test_thing.a.revision > 99
    error_message = "Not so."
  }
}
