variable "v" {
  validation {
    condition     = var.v > 1
    error_message = "No."
  }
}

output "o" {
  precondition {
    condition     = var.v > 1
    error_message = "No."
  }
}

resource "terraform_data" "r" {
  lifecycle {
    precondition {
      condition     = var.v > 1
      error_message = "No."
    }

    postcondition {
      condition     = self.id != ""
      error_message = "No."
    }
  }
}
