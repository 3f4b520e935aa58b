resource "test_thing" "a" {
  name = "a"
}

check "health" {
  assert {
    condition     = test_thing.a.revision == 1
    error_message = "Not so."
  }
}
