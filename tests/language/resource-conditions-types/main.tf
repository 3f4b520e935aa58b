variable "text" {
  type = string
}

resource "terraform_data" "a" {
  lifecycle {
    precondition {
      condition     = length(var.text)
      error_message = "Not a bool."
    }

    precondition {
      condition     = upper(var.text) == "X"
      error_message = var.missing
    }

    postcondition {
      condition     = self.nothing == 1
      error_message = "No such attribute."
    }
  }
}
