variable "nullable" {
  type    = string
  default = "child"
}

variable "not_nullable" {
  type     = string
  nullable = false
  default  = "child"
}

output "values" {
  value = [var.nullable, var.not_nullable]
}
