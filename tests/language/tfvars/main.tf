variable "from_tfvars" {
  type = string
}

variable "from_json" {
  type = object({ n = number, list = optional(list(string), ["d"]) })
}

variable "auto_wins" {
  type = string
}

variable "later_auto_wins" {
  type = number
}

variable "default" {
  default = "default"
}

variable "null_takes_default" {
  default  = "default"
  nullable = false
}

variable "null_stays" {
  type    = string
  default = "default"
}

output "all" {
  value = [var.from_tfvars, var.from_json, var.auto_wins, var.later_auto_wins, var.default, var.null_takes_default, var.null_stays]
}
