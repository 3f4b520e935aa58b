variable "plain" {}

resource "terraform_data" "r" {
  input = "x"
}

output "plain" {
  value     = "x"
  ephemeral = true
}
