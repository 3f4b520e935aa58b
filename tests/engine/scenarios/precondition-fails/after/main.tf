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

resource "test_thing" "b" {
  name = "b"
}

variable "ok" { default = false }
