variable "typed" {
  type    = string
  default = "5"
}

variable "described" {
  type        = number
  description = "Before."
  default     = 1
}

variable "made_sensitive" {
  default = "x"
}

variable "made_null" {
  type    = string
  default = "x"
}

output "values" {
  value = [var.typed + 1, var.described, var.made_null == null]
}

output "hidden" {
  value     = var.made_sensitive
  sensitive = true
}
