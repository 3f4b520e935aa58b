resource "test_thing" "a" {
  name = "a"
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
}

resource "test_thing" "c" {
  name = "c"
}
