variable "ok" { default = false }

resource "test_thing" "a" {
  name = "a"
  size = 1
  lifecycle {
    precondition {
      condition     = var.ok
      error_message = "Not so."
    }
  }
}
