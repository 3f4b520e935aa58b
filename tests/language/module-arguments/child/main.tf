variable "name" {
  type     = string
  nullable = false
}

variable "size" {
  type    = number
  default = 1
}
