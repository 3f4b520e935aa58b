resource "test_thing" "a" {
  name = "a"
  zone = "y"
  lifecycle {
    create_before_destroy = true
    postcondition {
      condition     = self.revision > 99
      error_message = "Not so."
    }
  }
}
