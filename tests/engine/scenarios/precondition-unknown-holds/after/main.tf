resource "test_thing" "a" {
  name = "a"
  lifecycle {
    precondition {
      condition     = test_thing.b.revision > 0
      error_message = "Not so."
    }
  }
}

resource "test_thing" "b" {
  name = "b"
}
