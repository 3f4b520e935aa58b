a{b=1}
c "d"   {  e  =  [1,2]  }
variable "x" {type=string}
variable "y" { default = {} }
