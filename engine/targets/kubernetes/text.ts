// Texts in objects of Kubernetes.

/** In commands and variables $(NAME) stands for a variable, and $$ for a $. */
export function plain(text: string): string {
  return text.replace(/\$(?=[$(])/g, "$$$$");
}
