variable "a" {
  type = strin
}

variable "b" {
  type = list(string, number)
}

variable "c" {
  type = list()
}

variable "d" {
  type = object(string)
}

variable "e" {
  type = object({ a = strng, (b) = string, "c-d" = number })
}

variable "f" {
  type = optional(string)
}

variable "g" {
  type = list(optional(string))
}

variable "h" {
  type = object({ a = optional(), b = optional(string, 1, 2), c = optional(number, "x"), d = optional(string, var.a) })
}

variable "i" {
  type = tuple(string)
}

variable "j" {
  type = string[0]
}

variable "k" {
  type = 5
}

variable "l" {
  type = array(string)
}

variable "m" {
  type = object
}

variable "n" {
  type = tuple
}

variable "o" {
  type = number()
}

variable "p" {
  type = null
}

variable "q" {
  type = "number"
}

variable "r" {
  type = "list"
}

variable "s" {
  type = map("string")
}

variable "t" {
  type = [string]
}

variable "u" {
  type = { a = string }
}

variable "v" {
  type = (string)
}

variable "w" {
  type = object({ "a" = string })
}
