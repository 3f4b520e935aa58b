resource "test_thing" "a" {
  name = "a"
  size = 1
}

check "health" {
  assert {
    condition     = test_thing.a.size == 1
    error_message = "Not so."
  }
}
