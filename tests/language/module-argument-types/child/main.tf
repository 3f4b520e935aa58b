variable "name" {
  type     = string
  nullable = false
}

variable "size" {
  type    = number
  default = 1
}

variable "object" {
  type = object({ a = number, b = object({ c = list(number) }) })
}
