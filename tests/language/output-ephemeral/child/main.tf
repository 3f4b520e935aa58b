variable "token" {
  ephemeral = true
}

variable "plain" {
  default = "x"
}

output "token" {
  value     = var.token
  ephemeral = true
}

output "leak" {
  value = var.token
}
