variable "a" {
  type    = number
  default = "x"
}

variable "b" {
  type    = list(number)
  default = [1, "two"]
}

variable "c" {
  type    = object({ a = object({ b = list(number) }) })
  default = { a = { b = ["x"] } }
}

variable "d" {
  type    = object({ a = string, b = string })
  default = {}
}

variable "e" {
  type    = map(object({ n = number }))
  default = { "the key" = { n = [] } }
}

variable "f" {
  type    = tuple([string])
  default = []
}

variable "g" {
  nullable = false
  default  = null
}

variable "h" {
  type    = set(string)
  default = { a = 1 }
}

variable "i" {
  type    = bool
  default = "yes"
}
