variable "a" {
  type = number
}

variable "b" {
  default = null
}
