variable "typed" {
  type = number
}

variable "described" {
  description = "After."
  default     = "7"
}

variable "made_sensitive" {
  sensitive = true
}

variable "made_null" {
  default = null
}
