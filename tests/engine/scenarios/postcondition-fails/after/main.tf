resource "test_thing" "a" {
  name = "a"
  size = 1
  lifecycle {
    postcondition {
      condition     = self.size == 2
      error_message = "Not so."
    }
  }
}
