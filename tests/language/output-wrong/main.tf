output "no_value" {}

output "unknown_argument" {
  value     = 1
  sensitiv  = true
  dependson = []
}

output "1x" {
  value = 1
}

output "same" {
  value = 1
}

output "same" {
  value = 2
}

output "postcondition" {
  value = 1

  postcondition {
    condition     = self == 1
    error_message = "No."
  }
}

output "precondition" {
  value = 1

  precondition {
    condition     = true
    error_message = "No."
  }

  precondition {
    condition = var.x == 1
  }
}

output "depends_on" {
  value      = 1
  depends_on = ["terraform_data.a", terraform_data.a.id + 1, 5]
}

output "depends_on_text" {
  value      = 1
  depends_on = "terraform_data.a"
}

output "deprecated" {
  value      = 1
  deprecated = ""
}

variable "x" {}
