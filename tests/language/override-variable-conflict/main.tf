variable "a" {
  default = "text"
}

variable "b" {
  type     = string
  nullable = false
  default  = "x"
}
