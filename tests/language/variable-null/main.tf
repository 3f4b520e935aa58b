variable "null_default" {
  type    = string
  default = null
}

variable "any_null" {
  default = null
}

variable "not_nullable" {
  type     = string
  nullable = false
  default  = "d"
}

variable "object" {
  type = object({
    a = optional(string)
    b = optional(string, "b")
    c = optional(object({ d = optional(number, 4) }))
  })
  default = { a = null, b = null }
}

module "null_given" {
  source       = "./child"
  nullable     = null
  not_nullable = null
}

output "values" {
  value = [var.null_default == null, var.any_null, var.not_nullable, var.object, module.null_given.values]
}
