resource "test_thing" "a" {
  name = "a"
  size = 1
  lifecycle {
    postcondition {
      condition     = self.revision > 99
      error_message = "Not so."
    }
  }
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a.id
  size = 1
}
