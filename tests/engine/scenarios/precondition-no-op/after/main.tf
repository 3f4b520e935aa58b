variable "ok" { default = false }

resource "test_thing" "a" {
  name = "a"
  lifecycle {
    precondition {
      condition     = var.ok
      error_message = "Not so."
    }
  }
}
