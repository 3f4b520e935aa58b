variable "number" {
  type = string

  validation {
    condition     = length(var.number)
    error_message = "No."
  }
}

variable "message" {
  type = string

  validation {
    condition     = var.message == "x"
    error_message = ["No."]
  }
}
