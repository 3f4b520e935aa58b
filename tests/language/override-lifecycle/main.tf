resource "terraform_data" "a" {
  input = 1

  lifecycle {
    create_before_destroy = true
    prevent_destroy       = false
    ignore_changes        = [input]

    precondition {
      condition     = var.n > 0
      error_message = "Stays."
    }
  }
}

variable "n" {
  default = 1
}

output "input" {
  value = terraform_data.a.input
}
